#!/bin/bash
# Runs a command as processes of MPI on two hosts that are network namespaces of this machine,
# joined by a virtual cable. Shows that training works across hosts where there is one machine.
#   sudo docs/cluster/two_hosts.sh N COMMAND ...   N processes, half of them on each host
set -euo pipefail
count=$1
shift
folder=$(mktemp -d)

clean_up() {
    ip netns del dnd-10.77.0.1 2>/dev/null || true
    ip netns del dnd-10.77.0.2 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT

for host in 10.77.0.1 10.77.0.2; do
    ip netns add "dnd-$host"
    ip netns exec "dnd-$host" ip link set lo up
done
ip link add name dnd0 netns dnd-10.77.0.1 type veth peer name dnd0 netns dnd-10.77.0.2
for host in 10.77.0.1 10.77.0.2; do
    ip netns exec "dnd-$host" ip address add "$host/24" dev dnd0
    ip netns exec "dnd-$host" ip link set dnd0 up
done

# In place of ssh: HOST COMMAND, words for a shell. Each host has a name of its own, as Open MPI
# expects.
cat > "$folder/enter" <<'AGENT'
#!/bin/bash
host=$1
shift
exec ip netns exec "dnd-$host" unshare --uts bash -c "hostname host-${host##*.}; $*"
AGENT
chmod +x "$folder/enter"

half=$(((count + 1) / 2))
network=10.77.0.0/24
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
command=(mpirun --oversubscribe -n "$count" --host "10.77.0.1:$half,10.77.0.2:$half"
    --mca plm rsh --mca plm_rsh_agent "$folder/enter" --mca btl tcp,self
    --mca btl_tcp_if_include "$network" --mca oob_tcp_if_include "$network" "$@")
"$folder/enter" 10.77.0.1 "$(printf '%q ' "${command[@]}")"
