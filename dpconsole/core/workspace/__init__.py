"""How definitions come in: workspace files written by hand, dbt manifests, and the demo; all become one `Workspace`."""
