"""Write-off lists (验收销号清单): closed cases, frozen as they stood, hashed and signed by several."""
