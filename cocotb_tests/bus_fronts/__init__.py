"""Front ends of buses under third-party masters and slaves: designs, benches, suites."""
