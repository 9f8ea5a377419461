"""mlops_kit: the Azure Machine Learning life cycle from one folder of plain files, on Azure or offline."""

__version__ = "0.1.0"
