"""Listed supervision of major hazards (挂牌督办): from the proposal by one, signed by another, to the published clearing."""
