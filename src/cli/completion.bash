# Completion of causeway in bash: eval "$(causeway completion bash)", for instance in ~/.bashrc.

_causeway() {
  local program=${1/#\~\//$HOME/} index word before= words=() starts=()
  for ((index = 1; index <= COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    # bash takes --option=value apart.
    if [[ ( $word == = || $before == = ) && ${#words[@]} -gt 0 ]]; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("${word//\\/}")
      starts+=("$index")
    fi
    before=$word
  done
  local answer kind last=${words[${#words[@]} - 1]} current=${COMP_WORDS[COMP_CWORD]}
  [[ $current == = ]] && current=
  COMPREPLY=()
  mapfile -t answer < <("$program" __complete -- "${words[@]}" 2>/dev/null)
  kind=${answer[0]}
  case $kind in
    words)
      for word in "${answer[@]:1}"; do
        word=${word%%$'\t'*}
        # What stands before the value is there already.
        [[ $last == --*=* && $COMP_WORDBREAKS == *=* ]] && word=${word#*=}
        printf -v word %q "$word"
        COMPREPLY+=("$word")
      done
      ;;
    files)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
    command*)
      index=${starts[${kind#command }]}
      if declare -F _command_offset >/dev/null; then
        _command_offset "$index"
      elif ((COMP_CWORD == index)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$current")
      else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
      fi
      ;;
  esac
}
complete -F _causeway causeway
