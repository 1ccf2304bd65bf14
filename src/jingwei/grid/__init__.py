"""China's grid codes: GB/T 39409-2020 (BeiDou) and GB/T 40087-2021 (GeoSOT), as pure functions."""
