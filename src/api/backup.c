#include "api/backup.h"

#include "store/copy.h"

struct backup_input {
	struct text path;
};

static const struct json_field backup_fields[] = {
	{ .name = "path",
	  .kind = JSON_TEXT,
	  .required = true,
	  .offset = offsetof(struct backup_input, path),
	  .max = 4000,
	  .about = "Where to; absolute, and not there yet." },
};
const struct json_shape backup_body = JSON_SHAPE(backup_input, backup_fields);

enum err backup_make(struct call *call)
{
	const struct backup_input *in = call->input;
	struct copy_result result;
	enum err err = copy_backup(call->house->database, in->path, call->house->log, &result, &call->fault);

	if (err != OK)
		return err;
	json_key(call->out, "path");
	json_put_text(call->out, in->path);
	json_key(call->out, "bytes");
	json_put_int(call->out, result.bytes);
	json_key(call->out, "sha256");
	json_put_string(call->out, result.checksum);
	return OK;
}
