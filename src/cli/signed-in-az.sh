# Runs az, signed in. $1: the text of az-sign-in.sh; then the words for az. It runs as the user whose az it is; the
# configuration folder is of this user, this principal, and host or place. CAUSEWAY_SIGN_IN stands for all that the
# sign-in rests on, so that a change of any of it is noticed.
set -u
sign_in=$1
shift
is_signed_in='is_signed_in() {
  [ "$(cat "$AZURE_CONFIG_DIR/causeway-sign-in" 2>/dev/null)" = "$CAUSEWAY_SIGN_IN" ] &&
    # Gone after `az logout`, and where the principal had no right to the subscription yet.
    grep -qs "$AZURE_SUBSCRIPTION_ID" "$AZURE_CONFIG_DIR/azureProfile.json"
}'
eval "$is_signed_in"

command -v az >/dev/null || {
  echo "causeway: the Azure CLI is not there: install it, so that 'az' is on the PATH." >&2
  exit 127
}
if ! is_signed_in; then
  # A signal that ends this ends the sign-in as well, whose processes are a group of their own.
  timeout 120 sh -c "$sign_in" causeway "$is_signed_in" &
  signing_in=$!
  trap 'kill -TERM $signing_in; wait $signing_in; exit 143' TERM
  trap 'kill -TERM $signing_in; wait $signing_in; exit 130' INT
  trap 'kill -TERM $signing_in; wait $signing_in; exit 129' HUP
  wait $signing_in || {
    echo "causeway: az could not be signed in." >&2
    exit 1
  }
  trap - TERM INT HUP
fi
unset AZURE_CLIENT_SECRET CAUSEWAY_SIGN_IN CAUSEWAY_PRINCIPAL CAUSEWAY_CLOUD
exec az "$@"
