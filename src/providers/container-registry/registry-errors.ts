import { ArmError } from '../../arm/arm-error.ts'
import { parseResourceId } from '../../arm/resource-id.ts'
import type { SkuName } from './sku.ts'

/** What the service says of a name that breaks its rule: the test of `checkNameAvailability` in Azure's .NET SDK. */
export const INVALID_NAME_MESSAGE =
  'Registry names may contain alpha numeric characters only and must be between 5 and 50 characters'

// The message is the service's, the code is not verified.
export const invalidName = (): ArmError =>
  new ArmError(400, { code: 'InvalidResourceName', message: `${INVALID_NAME_MESSAGE}.` })

/** https://github.com/Azure/azure-cli/issues/13951 */
export const alreadyInUse = (loginServer: string): ArmError =>
  new ArmError(409, {
    code: 'AlreadyInUse',
    message:
      `The registry DNS name ${loginServer} is already in use. You can check if the name is already claimed using ` +
      'following API: https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability',
  })

export const classicSkuDeprecated = (): ArmError =>
  new ArmError(400, {
    code: 'ClassicSkuDeprecated',
    message: 'Classic SKU is now deprecated. Please select a managed SKU.',
  })

/** https://github.com/hashicorp/terraform-provider-azurerm/issues/26054 */
export const publicAccessNotDisabled = (sku: SkuName): ArmError =>
  new ArmError(400, {
    code: 'DisablingPublicNetworkAccessNotSupported',
    message: `Disabling public network access is not supported for the SKU ${sku}. For more information, please visit https://aka.ms/acr/private-link.`,
  })

/**
 * What a tier lacks. Only the sentence of `publicAccessNotDisabled` is known to be the service's; these follow its
 * form and are not verified. `page` is the last part of the `https://aka.ms/acr/…` address.
 */
export const notSupportedForSku = (
  code: string,
  feature: string,
  sku: SkuName,
  page: string,
): ArmError =>
  new ArmError(400, {
    code,
    message: `${feature} is not supported for the SKU ${sku}. For more information, please visit https://aka.ms/acr/${page}.`,
  })

/** The service says so of webhooks (microsoft/vscode-docker#1281); for other kinds it is not verified. */
export const quotaExceeded = (resourceType: string, sku: SkuName): ArmError =>
  new ArmError(400, {
    code: 'QuotaExceeded',
    message: `Quota exceeded for resource type ${resourceType} for the registry SKU ${sku}. Learn more about different SKU quotas and upgrade process: https://aka.ms/acr/tiers`,
  })

/** The registry provider names what lies in a registry by its last part alone. */
export const childNotFound = (id: string): ArmError =>
  new ArmError(404, {
    code: 'ResourceNotFound',
    message: `The resource ${parseResourceId(id)?.name ?? id} could not be found.`,
  })
