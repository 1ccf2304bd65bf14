"""The grid data container: facts addressed by object, place and time, from a bureau's file to an answer."""
