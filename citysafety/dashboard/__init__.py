"""The faces that watch: the wall of the command centre. Reads across apps, no models of its own."""
