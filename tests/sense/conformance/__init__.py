"""The requirement classes of OGC 18-088, one module each, against one live application."""
