"""The record of runs in MLflow, which never holds up a training: calls wait on disk until a thread has sent them."""
