"""The questions of SensorThings: paths, options and filters of OData 4.0, read and put as SQL."""
