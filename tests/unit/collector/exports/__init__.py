"""Scheduled exports."""
