"""Read a city's folder: tables and outlines in, checked rows and a list of problems out. Nothing is written here
but by the ``write`` functions, which :func:`grid.services.load_city` calls when no problem was found.
"""
