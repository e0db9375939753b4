"""How good a forecast is, and what it hangs on."""
