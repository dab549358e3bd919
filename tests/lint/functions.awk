# Functions stop at 80 lines, 5 parameters and 3 levels of nesting. The error
# text at the end is no parameter in this count, and a function whose comment
# says that its signature is a library's may take what it must. Leans on
# clang-format: a body is from "{" to "}" in the first column.
FNR == 1 {
	head = ""
	body = 0
	dictated = 0
}

function parameters(text,    i, c, depth, n)
{
	sub(/, *struct secor_err \*[a-z]*\)[^)]*$/, ")", text)
	sub(/^[^(]*/, "", text)
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "(")
			depth++
		else if (c == ")" && --depth == 0)
			break
		else if (c == "," && depth == 1)
			n++
	}
	return n + 1
}

function says(line, why)
{
	printf "%s:%d: %s %s\n", FILENAME, line, name, why
}

!body && /^\{/ {
	# Criterion's Test(suite, name, ...) is a macro, not a signature.
	name = head
	sub(/\(.*/, "", name)
	sub(/.*[ *]/, "", name)
	if (head ~ /\(/ && name !~ /^(Test|ParameterizedTest.*|TestSuite)$/ &&
	    !dictated && parameters(head) > 5)
		says(FNR, "takes " parameters(head) " parameters; 5 is the stop")
	body = head ~ /\(/ ? FNR : 0
	dictated = 0
	head = ""
	next
}

body && /^\}/ {
	if (FNR - body - 1 > 80)
		says(body, "has " (FNR - body - 1) " lines; 80 is the stop")
	body = 0
	next
}

body && /^\t\t\t\t+(if|for|while|do|switch) *[({]/ {
	says(FNR, "nests deeper than 3 levels")
}

!body && /^( \*|\/\*)/ && /signature/ {
	dictated = 1
}

!body && (/^$/ || /[;}]$/) {
	dictated = 0
}

!body && (/^$/ || /[;}]$/ || /^#/ || /^ ?\*/ || /^\/\*/) {
	head = ""
	next
}

!body {
	head = head " " $0
}
