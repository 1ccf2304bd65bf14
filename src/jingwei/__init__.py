"""Jingwei (经纬): an open city brain. Every fact at one address on the BeiDou/GeoSOT grid."""

__version__ = "0.1.0"
