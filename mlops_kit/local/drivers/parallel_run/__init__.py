"""The driver of a parallel job: a master cuts the input into mini batches, workers run the entry script on them."""
