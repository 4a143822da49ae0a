#ifndef ORCH_API_SCHEMA_H
#define ORCH_API_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The description of every kind and field.  The tables are compiled from
 * lib/api/schema/<group>.kinds (the format is described in lib/api/schema/FORMAT); a
 * CustomResourceDefinition builds the same structures at run time (api/custom.h), so nothing below
 * is allowed to assume that a kind is built in.  All of it is const.  What is built in lives for
 * ever; how long the rest does is told in api/registry.h.
 */
enum type_class {
	CLASS_STRING,
	CLASS_BOOL,
	CLASS_INT32,
	CLASS_INT64,
	CLASS_DOUBLE,
	CLASS_BYTES,	     /* base64 in JSON */
	CLASS_TIME,	     /* RFC 3339 */
	CLASS_MICROTIME,     /* RFC 3339 with microseconds */
	CLASS_DURATION,	     /* "1h30m" */
	CLASS_QUANTITY,	     /* "1500m", or a number */
	CLASS_INT_OR_STRING, /* 8080 or "http" */
	CLASS_ANY,	     /* any JSON value (apiextensions JSON) */
	CLASS_RAW,	     /* any JSON object (RawExtension, FieldsV1) */
	CLASS_STRUCT,	     /* has fields */
	CLASS_LIST,	     /* of elem */
	CLASS_MAP,	     /* string -> elem */
};

/* How server-side apply and strategic merge treat a list, map or struct. */
enum list_type { LIST_ATOMIC, LIST_SET, LIST_MAP };
enum { PATCH_MERGE = 1, PATCH_RETAIN_KEYS = 2, PATCH_REPLACE = 4 };

struct type {
	const char *name; /* "core.v1.PodSpec", "[]string"; what orch-explain calls it */
	enum type_class class;
	const struct type *elem;    /* of a list or map */
	const struct field *fields; /* of a struct, in alphabetical order */
	size_t nfields;
	bool atomic;	     /* struct or map: owned as a whole (x-kubernetes-map-type: atomic) */
	const char *summary; /* one sentence or "" */
	const char *discriminator; /* of a union: the field that says which of the others counts,
				      "" for none; NULL: no union (x-kubernetes-unions) */
	const unsigned short *wire_order; /* the fields that protobuf has, by their numbers there
					     (outer[0] first); NULL: none */
	size_t nwire;
	const unsigned long long
	    *leads; /* of each field's name the first eight bytes as a number */
	bool open;  /* of a custom struct: it keeps fields that are not listed, too */
};

struct field {
	const char *name;
	const struct type *type;
	const char *summary; /* one sentence or "" */
	bool required;
	enum list_type list;	      /* for lists */
	const char *const *list_keys; /* for LIST_MAP, NULL-terminated */
	unsigned patch;		      /* PATCH_ flags of strategic merge */
	const char *merge_key;	      /* for PATCH_MERGE on a list of structs, else NULL */
	const char *dflt;	      /* JSON text of the default that always holds, or NULL */
	const char *const
	    *values; /* the values a string may take, NULL-terminated, or NULL for any */
	const char *const *shown; /* the same as OpenAPI says it, which is not always what counts */
	const char *shown_default; /* the default that it says, if that takes saying; or NULL */
	int number;		   /* protobuf field number, 0 for none */
	int outer[2]; /* the field stands inside the message that is field outer[0] (and in that,
		       * outer[1]) of this one, where JSON writes it plainly: Volume.configMap is 2,
		       * 19; 0 for none */
	const char *wire; /* "Verbs", "ExtraValue": protobuf wraps the (element's) list in this
			     message; else NULL */
	bool pointer; /* absent is not the same as zero or empty: protobuf leaves it out; what is no
			 pointer it always writes, and a zero of it that is not required counts as
			 absent */
	bool marked;  /* "granular" or "atomic" is written at the field */
};

enum verb_bits {
	VERB_GET = 1,
	VERB_LIST = 2,
	VERB_WATCH = 4,
	VERB_CREATE = 8,
	VERB_UPDATE = 16,
	VERB_PATCH = 32,
	VERB_DELETE = 64,
	VERB_DELETECOLLECTION = 128,
};

struct subresource {
	const char *name;		    /* "status", "scale", "log" */
	const char *group, *version, *kind; /* of its body; group and version "" for the parent's */
	unsigned verbs;
};

struct column {
	const char *name;   /* "Ready" */
	const char *type;   /* "string", "integer", "date" */
	const char *format; /* "name" or "" */
	int priority;	    /* 0: always; 1: wide only */
	const char *path;   /* JSONPath into the object where that says it all, or NULL: api/table.c
			       computes it */
};

/* What an object of a kind may be called. */
enum name_form {
	NAME_SUBDOMAIN, /* "web.example.com" */
	NAME_LABEL,	/* "web-1" */
	NAME_DNS1035,	/* "web-1", starting with a letter */
	NAME_PATH,	/* "system:node": anything that can stand in a URL */
	NAME_IP,	/* "10.1.2.3" */
};

struct kind {
	const char *group, *version, *kind; /* group "" for core */
	const char *plural, *singular;	    /* "deployments", "deployment" */
	const char *const *short_names;	    /* NULL-terminated */
	const char *const *categories;
	bool namespaced;
	unsigned verbs;
	const struct subresource *subresources;
	size_t nsubresources;
	const struct column *columns;
	size_t ncolumns;
	const struct type *type; /* a struct with apiVersion, kind, metadata; see kind_schema() */
	const char *summary;
	enum name_form named;
	const struct custom *custom; /* of a CustomResourceDefinition (api/custom.h); else NULL */
};

/* The type of its objects: that of a custom kind is made when it is asked for, and is there until
 * registry_leave() (api/registry.h). */
const struct type *kind_schema(const struct kind *k);

/* Every kind that is served, in group, version, kind order; *n their number.  Kinds come and go
 * (api/registry.h): the list is as it was when it was asked for. */
const struct kind *const *schema_kinds(size_t *n);
/* Is anything served of this group and version (NULL: any)? */
bool schema_group(const char *group, const char *version);
bool group_built_in(const char *group);

/* Also finds kinds without a resource of their own (plural "" and no verbs): lists, DeleteOptions,
 * Status, and bodies of subresources such as Scale and Eviction.  NULL when unknown. */
const struct kind *kind_find(const char *group, const char *version, const char *kind);
const struct kind *kind_of_resource(const char *group, const char *version, const char *plural);
/* By apiVersion ("apps/v1") and kind, as they stand in an object. */
const struct kind *kind_of_object(const char *api_version, const char *kind);

/*
 * What people type: "deploy", "deployments", "Deployment", "deployments.apps",
 * "deployments.v1.apps", in any case.  Core wins over other groups, older groups over newer. NULL
 * when unknown.
 */
const struct kind *kind_of_word(const char *word);

/* "apps/v1" or "v1" into buf; returns buf. */
const char *kind_api_version(const struct kind *k, char buf[static 128]);
/* "deployments.apps", "pods": how Kubernetes' messages call a resource. */
const char *kind_resource(const struct kind *k, char buf[static 128]);
/* "Deployment.apps", "Pod": the key of world and cache; as meta_group_kind() gives for an object.
 */
const char *kind_group_kind(const struct kind *k, char buf[static 128]);

const struct subresource *kind_subresource(const struct kind *k, const char *name); /* or NULL */

/* A named type ("core.v1.PodSpec"), also ones that are no kind, or NULL. */
const struct type *type_find(const char *name);
const struct field *type_field(const struct type *t, const char *name); /* binary search; NULL */

#endif
