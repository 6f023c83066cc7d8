"""Components of digital urban management (GB/T 30428.2): reading files of them, pages, API, and who may import."""
