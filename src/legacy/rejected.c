#include "legacy/rejected.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/json_out.h"

#define LINE_BYTES 65536

enum err rejected_open(struct rejected *rejected, const char *path, struct fault *fault)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	*rejected = (struct rejected){ .path = path, .file = fd < 0 ? NULL : fdopen(fd, "w") };
	if (rejected->file != NULL)
		return OK;
	if (fd >= 0)
		close(fd);
	return fault_set(fault, ERR_INVALID, NULL, "rejected",
			 "The file for rows that cannot be taken cannot be made: it is there already, or its folder is "
			 "not, or the server may not write there.");
}

static enum err cannot_write(struct fault *fault)
{
	return fault_set(fault, ERR_CONFLICT, NULL, "rejected",
			 "The file for rows that cannot be taken cannot be written: is the disk full?");
}

enum err rejected_put(struct rejected *rejected, const char *table, struct text key, const char *outcome,
		      struct text reason, struct fault *fault)
{
	struct buffer line;
	struct json_out out;
	bool written;

	buffer_init(&line, LINE_BYTES);
	json_out_init(&out, &line);
	json_open_object(&out);
	json_key(&out, "table");
	json_put_string(&out, table);
	json_key(&out, "key");
	json_put_text(&out, key);
	json_key(&out, "outcome");
	json_put_string(&out, outcome);
	json_key(&out, "reason");
	json_put_text(&out, reason);
	json_close_object(&out);
	buffer_add(&line, "\n", 1);
	written = !line.failed && fwrite(line.at, 1, line.length, rejected->file) == line.length;
	buffer_fini(&line);
	rejected->lines++;
	return written ? OK : cannot_write(fault);
}

enum err rejected_close(struct rejected *rejected, struct fault *fault)
{
	bool written;

	if (rejected->file == NULL)
		return OK;
	written = fflush(rejected->file) == 0;
	written = fclose(rejected->file) == 0 && written;
	rejected->file = NULL;
	if (rejected->lines == 0)
		unlink(rejected->path);
	return written ? OK : cannot_write(fault);
}
