"""MQTT: what devices of a home tell a broker."""
