"""The running city: a fictional city's own clock, what happens in it as that clock steps on, who tells it.

What happens between two instants follows from the seed alone (`story`), so that an hour replayed is the hour
recorded. It is told to the city by the doors that every city has, by HTTP and MQTT (`feeding`).
"""
