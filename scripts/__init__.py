"""Programs for working on Spanwise itself; users need none of them."""
