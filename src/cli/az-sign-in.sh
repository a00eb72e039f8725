# Signs az in, where nobody else has meanwhile; signed-in-az.sh calls it and says what it is given.
set -u
umask 077
mkdir -p "$AZURE_CONFIG_DIR"
cd "$AZURE_CONFIG_DIR" || exit
# Commands that start side by side sign in once.
exec 9>causeway-lock
flock 9
eval "$1"
if is_signed_in; then exit; fi

echo "causeway: setting up az for $CAUSEWAY_PRINCIPAL, as at every first use …" >&2
# What another server or principal left, caches of endpoints and tokens among it; the user's own settings stay.
rm -f causeway-sign-in clouds.config azureProfile.json msal_* service_principal_entries.*
# Host and place read the settings of one file.
touch ../az-settings && ln -sf ../az-settings config || exit
if [ -n "$CAUSEWAY_CLOUD" ]; then
  env -u AZURE_CLOUD_NAME az cloud register --name "$AZURE_CLOUD_NAME" --cloud-config "$CAUSEWAY_CLOUD" \
    --output none --only-show-errors >&2 9>&- || exit
fi
# By its input: what is on a command line, everybody on the machine can read.
printf %s "$AZURE_CLIENT_SECRET" |
  az login --service-principal --username "$AZURE_CLIENT_ID" --password @- --tenant "$AZURE_TENANT_ID" \
    --allow-no-subscriptions --output none --only-show-errors >&2 9>&- || exit
printf %s "$CAUSEWAY_SIGN_IN" >causeway-sign-in
