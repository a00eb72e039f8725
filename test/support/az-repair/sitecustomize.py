"""Lets the azure-cli package of Debian 12 work, when this folder is on PYTHONPATH.

Debian pairs azure-cli 2.45.0 with SDK packages that do not match it, so that `az network ...` and
`az role ...` fail before they send anything. Microsoft's own package needs none of this. What is sent
stays as it was, except that `az network nic` names the API version of the SDK that is installed.
"""
import importlib
import importlib.util
import pkgutil
import re
import sys
from importlib.abc import Loader, MetaPathFinder

NETWORK_SDK = "azure.mgmt.network"
VERSIONED_OPERATIONS = re.compile(r"azure\.mgmt\.network\.v\d{4}_\d\d_\d\d\.operations")


def use_installed_network_sdk(profiles):
    """az asks the network SDK for 2022-01-01, which Debian's SDK lacks: take the next version that it has."""
    sdk = importlib.util.find_spec(NETWORK_SDK)
    if sdk is None or not sdk.submodule_search_locations:
        return
    installed = sorted(
        module.name[1:].replace("_", "-")
        for module in pkgutil.iter_modules(sdk.submodule_search_locations)
        if re.fullmatch(r"v\d{4}_\d\d_\d\d", module.name)
    )
    latest, network = profiles.AZURE_API_PROFILES["latest"], profiles.ResourceType.MGMT_NETWORK
    wanted = latest[network]
    if wanted not in installed:
        latest[network] = next((version for version in installed if version > wanted), wanted)


def show_configuration(module):
    """The role commands read `.config` of clients and operation groups; Debian's SDK calls it `._config`."""
    for name, member in list(vars(module).items()):
        if not isinstance(member, type) or hasattr(member, "config"):
            continue
        if name.endswith(("Operations", "ManagementClient")):
            member.config = property(lambda self: self._config)


def repair_of(name):
    if name == "azure.cli.core.profiles._shared":
        return use_installed_network_sdk
    if name.startswith("azure.mgmt.authorization.") and name.endswith(
        (".operations", "._authorization_management_client")
    ):
        return show_configuration
    return None


class RepairedLoader(Loader):
    """Loads a module as it is, then repairs it."""

    def __init__(self, loader, repair):
        self.loader = loader
        self.repair = repair

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        self.repair(module)


class UnversionedOperations(Loader):
    """Stands in for the operations of a version: this SDK keeps those of its newest version without a version."""

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        sys.modules[module.__name__] = importlib.import_module(f"{NETWORK_SDK}.operations")


class Repairs(MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        repair = repair_of(fullname)
        versioned = VERSIONED_OPERATIONS.fullmatch(fullname)
        if repair is None and not versioned:
            return None
        spec = self.find_elsewhere(fullname, path, target)
        if spec is None and versioned:
            return importlib.util.spec_from_loader(fullname, UnversionedOperations())
        if spec is not None and spec.loader is not None and repair is not None:
            spec.loader = RepairedLoader(spec.loader, repair)
        return spec

    def find_elsewhere(self, fullname, path, target):
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                return spec
        return None


sys.meta_path.insert(0, Repairs())
