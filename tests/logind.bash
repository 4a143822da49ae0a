# For bats: a system bus of one's own, with a logind on it that does as it is told (python3-dbusmock).

# logind_up FOLDER [SECONDS it waits for locks]: sets DBUS_SYSTEM_BUS_ADDRESS
logind_up() {
	command -v dbus-daemon >/dev/null && /usr/bin/python3 -c 'import dbusmock' 2>/dev/null || skip "needs dbus-daemon and python3-dbusmock"
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$1/bus
	dbus-daemon --session --nofork --address="$DBUS_SYSTEM_BUS_ADDRESS" >/dev/null 2>&1 3>&- &
	echo $! >"$1/bus.pid"
	for _ in $(seq 100); do [ -S "$1/bus" ] && break; sleep 0.05; done
	/usr/bin/python3 -m dbusmock --system --template logind >"$1/logind.log" 2>&1 3>&- &
	echo $! >"$1/logind.pid"
	for _ in $(seq 100); do logind delay "${2:-30}" 2>/dev/null && break; sleep 0.05; done
}

# end what logind_up began
logind_down() {
	for p in logind bus; do
		[ ! -e "$1/$p.pid" ] || kill -9 "$(cat "$1/$p.pid")" 2>/dev/null || true
		rm -f "$1/$p.pid"
	done
}

# logind delay SECONDS | prepare true|false | locks
logind() {
	/usr/bin/python3 - "$@" <<-'END'
	import sys, dbus
	bus = dbus.SystemBus()
	one = bus.get_object('org.freedesktop.login1', '/org/freedesktop/login1')
	name = 'org.freedesktop.login1.Manager'
	mock = dbus.Interface(one, 'org.freedesktop.DBus.Mock')
	if sys.argv[1] == 'delay':
	    mock.AddProperty(name, 'InhibitDelayMaxUSec', dbus.UInt64(int(sys.argv[2]) * 1000000))
	elif sys.argv[1] == 'prepare':
	    on = sys.argv[2] == 'true'
	    mock.UpdateProperties(name, {'PreparingForShutdown': on})
	    mock.EmitSignal(name, 'PrepareForShutdown', 'b', [dbus.Boolean(on)])
	else:
	    for what, who, why, mode, uid, pid in one.ListInhibitors(dbus_interface=name):
	        print(what, who, mode)
	END
}

# until_locks N [SECONDS]: so many are held
until_locks() {
	local end=$((SECONDS + ${2:-10}))
	while [ $SECONDS -le $end ]; do
		[ "$(logind locks | wc -l)" != "$1" ] || return 0
		sleep 0.1
	done
	echo "# locks: $(logind locks)" >&2
	return 1
}
