"""What a sample source does between converter and model: its scale, its rates, its range."""
