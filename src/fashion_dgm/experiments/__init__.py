"""What is studied beside the models' own training: each folder one experiment, whose results a pipeline writes."""
