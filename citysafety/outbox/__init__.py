"""News of the city: facts written with the change, relayed in order, heard by whoever subscribed."""
