# Start file of the shell that 'causeway shell' opens: the user's own, then the mark of the place.
[ -r ~/.bashrc ] && . ~/.bashrc
PS1="$CAUSEWAY_PROMPT$PS1"
unset CAUSEWAY_PROMPT
