# Says which include points the wrong way, see STYLE of the tree:
#   core/<layer>   include/secor, and core/ of the same or a lower layer
#   plugins/...    include/secor, plugins/common and the plugin's own folder
#   include/secor  include/secor alone
BEGIN {
	n = split("base plugin config flow observe cli", order, " ")
	for (i = 1; i <= n; i++)
		rank[order[i]] = i
}

function bad(why)
{
	printf "%s:%d: %s: %s\n", FILENAME, FNR, why, $0
}

FNR == 1 {
	split(FILENAME, here, "/")
	own = FILENAME
	sub(/[^\/]*$/, "", own)
}

/^[ \t]*#[ \t]*include[ \t]*["<]/ {
	quoted = $0 ~ /"/
	name = $0
	sub(/^[^"<]*["<]/, "", name)
	sub(/[">].*$/, "", name)
	split(name, to, "/")
	if (to[1] == "secor") {
		if (quoted)
			bad("public headers go in <>")
	} else if (to[1] == "core") {
		if (here[1] != "core")
			bad(here[1] " must not know core")
		else if (!(to[2] in rank))
			bad("core has no layer " to[2])
		else if (rank[to[2]] > rank[here[2]])
			bad(here[2] " is below " to[2])
	} else if (to[1] == "plugins") {
		if (here[1] != "plugins")
			bad(here[1] " must not know plugins")
		else if (to[2] != "common" && index(name, own) != 1)
			bad("a plugin of its own must not know another")
	} else if (quoted && !(here[1] == "plugins" &&
	    system("test -f " own name) == 0)) {
		bad("name it from the root of the tree")
	}
}
