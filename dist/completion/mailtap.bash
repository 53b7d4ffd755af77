# Completion of mailtap for bash. Commands, options and formats are those of mailtap --help, settings those of mailtap settings.

_mailtap()
{
    local me=${COMP_WORDS[0]} command=${COMP_WORDS[1]} cur=$2 prev=$3 usage
    COMPREPLY=()
    usage=$("$me" --help 2>/dev/null) || return
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$(sed -nE 's/^(usage:)? +mailtap ([a-z]+).*/\2/p' <<<"$usage") --version --help" -- "$cur")
        return
    fi
    usage=$(grep -E "mailtap $command( |\$)" <<<"$usage") || return
    case $prev in
    -s)
        mapfile -t COMPREPLY < <(compgen -S = -W "$("$me" settings 2>/dev/null | sed -nE 's/^([a-z_]+):.*/\1/p')" -- "$cur")
        compopt -o nospace
        ;;
    -f) mapfile -t COMPREPLY < <(compgen -W "$(sed -nE 's/.*\[-f ([a-z|-]+)\].*/\1/p' <<<"$usage" | tr '|' ' ')" -- "$cur") ;;
    -o | --extract)
        [[ $command = load ]] && { mapfile -t COMPREPLY < <(compgen -W "clickhouse:// clickhouses://" -- "$cur"); compopt -o nospace; return; }
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        compopt -o filenames
        ;;
    -c | --script)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur"; compgen -f -X "!*.$([[ $prev = -c ]] && echo y*ml || echo lua)" -- "$cur")
        compopt -o filenames
        ;;
    --workers) mapfile -t COMPREPLY < <(compgen -W "auto $(seq "$(nproc)")" -- "$cur") ;;
    --stream) mapfile -t COMPREPLY < <(compgen -W "smtp smtp_session notice software stats scripts all" -- "$cur") ;;
    --fields | --limit) ;;
    --user) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
    --metrics | --listen) ;;
    *)
        if [[ $cur = -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$(grep -oE -- '\[--?[a-z]+' <<<"$usage" | tr -d '[') --help" -- "$cur")
        elif [[ $command = read && $prev != = && $cur != = ]]; then
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            compopt -o filenames
        elif [[ $command = query || $command = web ]]; then
            mapfile -t COMPREPLY < <(compgen -d -- "$cur")
            if (( ${#COMPREPLY[@]} )); then
                compopt -o filenames
            else
                mapfile -t COMPREPLY < <(compgen -W "clickhouse:// clickhouses://" -- "$cur")
                compopt -o nospace
            fi
        elif [[ $command = load ]]; then
            mapfile -t COMPREPLY < <(compgen -W "nats:// nats+tls:// kafka:// kafka+tls://" -- "$cur")
            compopt -o nospace
        elif [[ $command = watch && $prev != = && $cur != = ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net 2>/dev/null)" -- "$cur")
        fi
        ;;
    esac
}
complete -F _mailtap mailtap
