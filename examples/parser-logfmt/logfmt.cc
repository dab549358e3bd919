// logfmt.cc -- a parser in C++: `time=1405908000 level=info user=ada`. Values
// have no blanks. No exception may leave a slot.
#include <secor/parser.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace
{

struct Conf {
	const char *time_key;
};

const secor_option options[] = {
    SECOR_OPTION(STRING, Conf, time_key, "time_key", "time",
	SECOR_OPTION_OUTPUT, "The key of the event time, in seconds."),
};

int64_t
seconds(std::string_view text)
{
	if (text.size() > 11)
		throw std::out_of_range("more than 11 digits");
	return std::stoll(std::string(text));
}

struct Logfmt {
	bool no_time;
	std::string time_key;
	std::vector<std::string> fields;

	int
	parse(std::string_view line, secor_record *record, secor_bytes *out,
	    secor_err *err) const
	{
		while (!line.empty()) {
			auto pair = line.substr(0, line.find(' '));
			auto key = pair.substr(0, pair.find('='));

			line.remove_prefix(
			    std::min(line.size(), pair.size() + 1));
			if (key.size() == pair.size())
				continue; // no '='
			auto value = pair.substr(key.size() + 1);
			if (key == time_key && !no_time)
				record->time_ms = seconds(value) * 1000;
			for (size_t f = 0; f < fields.size(); f++)
				if (key == fields[f])
					out[f] = {value.data(), value.size()};
		}
		if (record->time_ms == SECOR_NO_TIME && !no_time)
			return secor_fail(err, SECOR_REJECT, "no time");
		return SECOR_OK;
	}
};

int
open(const secor_open *with, void **self, secor_err *)
{
	auto conf = static_cast<const Conf *>(with->conf);
	auto fields = with->fields;

	*self = new Logfmt{with->no_time != 0, conf->time_key,
	    {fields.items, fields.items + fields.count}};
	return SECOR_OK;
}

int
parse(void *self, const secor_message *message, secor_record *record,
    secor_bytes *fields, secor_err *err)
try {
	return static_cast<Logfmt *>(self)->parse(
	    {message->value.ptr, message->value.len}, record, fields, err);
} catch (const std::exception &) { // stoll: no number
	return secor_fail(err, SECOR_REJECT, "the time is no number");
}

void
close(void *self)
{
	delete static_cast<Logfmt *>(self);
}

const secor_parser_ops ops = {sizeof(ops), 0, open, parse, close};

const secor_plugin plugin = {SECOR_PLUGIN_HEAD, SECOR_PARSER, "logfmt", "1.0",
    "key=value pairs between blanks", 1, SECOR_OPTIONS(options), sizeof(Conf),
    nullptr, &ops};

} // namespace

const secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
