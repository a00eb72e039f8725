#compdef causeway
# Completion of causeway in zsh: eval "$(causeway completion zsh)" after compinit, for instance in ~/.zshrc; or this
# text in a file _causeway in a folder of $fpath.

_causeway() {
  local program=${(Q)words[1]} line
  local -a answer candidates shown
  answer=("${(@f)$(${~program} __complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  case $answer[1] in
    words)
      for line in ${answer[2,-1]}; do
        candidates+=("${line%%$'\t'*}")
        if [[ $line == *$'\t'* ]]; then
          shown+=("${line%%$'\t'*}  -- ${line#*$'\t'}")
        else
          shown+=("$line")
        fi
      done
      compadd -l -d shown -a candidates
      ;;
    files) _files ;;
    command*)
      shift $((${answer[1]#command } + 1)) words
      ((CURRENT -= ${answer[1]#command } + 1))
      _normal
      ;;
  esac
}

if [[ $funcstack[1] == _causeway ]]; then
  _causeway "$@"
else
  compdef _causeway causeway
fi
