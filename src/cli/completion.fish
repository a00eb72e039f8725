# Completion of causeway in fish: causeway completion fish | source, for instance in ~/.config/fish/config.fish.

function __causeway_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($words[1] __complete -- $words[2..-1] $current 2>/dev/null)
    switch "$answer[1]"
        case words
            printf '%s\n' $answer[2..-1]
        case files
            __fish_complete_path $current
        case 'command *'
            __fish_complete_subcommand --fcs-skip=(math (string replace 'command ' '' $answer[1]) + 1)
    end
end
complete --command causeway --no-files --arguments '(__causeway_complete)'
