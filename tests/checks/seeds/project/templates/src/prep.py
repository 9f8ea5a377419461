import sys

import mlflow

mlflow.log_param("arguments", len(sys.argv))
