"""Splits, frames and procedural videos."""
