"""Rules over readings: what they say, how they are asked, and the alarms and incidents that come of it."""
