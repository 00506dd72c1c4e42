"""benchmarks measure: numbers for the documents, side by side in one run. They assert nothing."""
