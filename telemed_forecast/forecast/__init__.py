"""From settings to forecasts: the evidence known on a date, a fitted model, and its draws by period."""
