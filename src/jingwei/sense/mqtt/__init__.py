"""Readings by MQTT: the city is a client of a broker, its own or another one."""
