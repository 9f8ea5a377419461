"""Regions: which there are, and the form in which Azure Resource Manager writes one."""

from __future__ import annotations

LOCATION = "local"
# Regions that templates name; everything runs on this machine whichever is chosen. ``global`` is that of services
# without a region, such as action groups and private DNS zones.
LOCATIONS = frozenset(
    {
        LOCATION, "global",
        "australiacentral", "australiacentral2", "australiaeast", "australiasoutheast", "austriaeast",
        "belgiumcentral", "brazilsouth", "brazilsoutheast", "canadacentral", "canadaeast", "centralindia",
        "centralus", "centraluseuap", "chilecentral", "denmarkeast", "eastasia", "eastus", "eastus2", "eastus2euap",
        "francecentral", "francesouth", "germanynorth", "germanywestcentral", "indonesiacentral", "israelcentral",
        "italynorth", "japaneast", "japanwest", "jioindiacentral", "jioindiawest", "koreacentral", "koreasouth",
        "malaysiawest", "mexicocentral", "newzealandnorth", "northcentralus", "northeurope", "norwayeast",
        "norwaywest", "polandcentral", "qatarcentral", "southafricanorth", "southafricawest", "southcentralus",
        "southeastasia", "southindia", "spaincentral", "swedencentral", "swedensouth", "switzerlandnorth",
        "switzerlandwest", "uaecentral", "uaenorth", "uksouth", "ukwest", "westcentralus", "westeurope", "westindia",
        "westus", "westus2", "westus3",
    }
)  # fmt: skip


def normal(location: str) -> str:
    """Return a region in normal form: ``West Europe`` is ``westeurope``."""
    return location.replace(" ", "").lower()
