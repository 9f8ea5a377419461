"""Schedules that fire: what a trigger means, which job a fire submits, and the timer that lets them fire in order."""
