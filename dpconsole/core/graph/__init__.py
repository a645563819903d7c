"""Dependencies as graphs: what stands around a row, how that is laid out and drawn, which path is critical."""
