# dgc: every command a developer needs.
#
#   make              build/dgc, and in build/lib all that it needs to build pipelines
#   make setup        install and build third-party libraries (make does it by itself when missing)
#   make demo         a first pipeline, built and run
#   make test         lint, unit tests (plain and with sanitizers), golden and end-to-end tests
#   make conformance  compare with Dagster itself (makes a Python environment in the cache)
#   make bench | torture | fuzz | lint | asan | clean
#
# BUILD=dir builds elsewhere; CC=clang, VARIANT=asan build otherwise; V=1 shows the commands.

BUILD ?= build
VARIANT ?= release
ifeq ($(origin CC),default)
CC := gcc
endif
AR := ar

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: FORCE all setup demo test conformance bench torture fuzz lint asan clean unit-tests

all:

# $(call run,WORD,FILE): what is said instead of the command.
run = $(if $(V),,@printf '%-5s %s\n' $(1) $(2);)

# --- third-party libraries: a tree in the cache, named by the pins ---

TP_DIR := $(shell scripts/tp_dir.sh)
ifneq ($(filter-out setup clean lint,$(or $(MAKECMDGOALS),all)),)
include $(TP_DIR)/env.mk
endif

$(TP_DIR)/env.mk:
	scripts/setup.sh

setup:
	scripts/setup.sh

# --- flags ---

WARNINGS := -Wall -Wextra -Wshadow -Wpedantic -Wconversion -Wno-unused-parameter -Werror
CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 $(WARNINGS) -ffunction-sections -fdata-sections -fno-omit-frame-pointer -fPIC \
    -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(abspath $(BUILD))=build -ffile-prefix-map=$(TP_DIR)=third_party
CPPFLAGS := -D_GNU_SOURCE -I. -I$(BUILD)/gen -isystem $(TP_DIR)/include
LDFLAGS := -Wl,--gc-sections -Wl,-z,relro,-z,now
LDLIBS := -lm -ldl -lpthread

# The sanitized variant keeps its own objects, libraries and binaries.
ifeq ($(VARIANT),asan)
override CFLAGS += -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
OUT := $(BUILD)/asan
else
OUT := $(BUILD)
endif
OBJ := $(BUILD)/obj/$(VARIANT)
LIB := $(OUT)/lib

# --- sources: whatever is in the folders ---

sources = $(sort $(shell find $(1) -name '*.c' 2>/dev/null))
objects = $(patsubst %.c,$(OBJ)/%.o,$(1))

RUNTIME_SRC := $(filter-out runtime/pack_main.c,$(call sources,runtime))
COMPONENT_SRC := $(call sources,stdlib-components)
COMPILER_SRC := $(filter-out compiler/main.c,$(call sources,compiler codegen))
TEST_SUPPORT_SRC := $(call sources,tests/support)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(OUT)/test/%,$(sort $(wildcard tests/unit/test_*.c)))
FUZZERS := $(patsubst tests/fuzz/%.c,$(OUT)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))

ALL_OBJ := $(call objects,$(RUNTIME_SRC) $(COMPONENT_SRC) $(COMPILER_SRC) $(TEST_SUPPORT_SRC) compiler/main.c \
    runtime/pack_main.c)

# --- generated sources: rewritten only when their content changes ---

GENERATED := $(BUILD)/gen/component_list.h $(BUILD)/gen/embedded_headers.h $(BUILD)/gen/parts.h

# What emitted C and users' components may include; the symbols that these declare are all that code
# loaded in memory may refer to.
EMITTED_HEADERS := $(wildcard $(addprefix runtime/,dgc.h component.h pipeline.h data/decode.h \
    data/decode_api.h data/rows_api.h copy/loop_api.h eval/eval_api.h run/bind.h))

$(BUILD)/gen/embedded_headers.h: scripts/embed_headers.sh $(EMITTED_HEADERS)
	@mkdir -p $(@D)
	$(call run,GEN,$@)scripts/embed_headers.sh $(EMITTED_HEADERS) > $@

$(BUILD)/gen/parts.h: scripts/parts.sh scripts/pins.txt
	@mkdir -p $(@D)
	$(call run,GEN,$@)scripts/parts.sh > $@

$(BUILD)/gen/symbols.c: scripts/symbols.sh $(EMITTED_HEADERS) $(COMPONENT_SRC)
	@mkdir -p $(@D)
	$(call run,GEN,$@)CC=$(CC) scripts/symbols.sh stdlib-components $(EMITTED_HEADERS) > $@

# Of the runner without DuckDB: steps that need it would only make it larger.
$(BUILD)/gen/symbols_small.c: scripts/symbols.sh $(EMITTED_HEADERS) $(COMPONENT_SRC)
	@mkdir -p $(@D)
	$(call run,GEN,$@)NO_WAREHOUSE=1 CC=$(CC) scripts/symbols.sh stdlib-components $(EMITTED_HEADERS) > $@

$(OBJ)/gen/symbols.o $(OBJ)/gen/symbols_small.o: $(OBJ)/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(call run,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$(BUILD)/gen/component_list.h: FORCE
	@mkdir -p $(@D)
	@scripts/component_list.sh stdlib-components > $@.$$PPID && \
	    if cmp -s $@.$$PPID $@; then rm $@.$$PPID; else mv $@.$$PPID $@; fi

$(BUILD)/notices.txt: scripts/notices.sh scripts/pins.txt LICENSE
	@mkdir -p $(@D)
	$(call run,GEN,$@)scripts/notices.sh > $@

# The notices as data: `extern const char dgc_notices[]; extern const uint64_t dgc_notices_len;`
$(OBJ)/notices.o: $(BUILD)/notices.txt
	@mkdir -p $(@D)
	@printf '%s\n' '.section .rodata.dgc_notices,"a",@progbits' '.globl dgc_notices, dgc_notices_len' \
	    'dgc_notices:' '.incbin "$<"' '1: .byte 0' '.balign 8' 'dgc_notices_len: .quad 1b - dgc_notices' \
	    '.section .note.GNU-stack,"",@progbits' | $(CC) -x assembler -c - -o $@

# The tokenizers' vocabularies as data, each a member of the archive that only who counts by it links.
TOKENS_OBJ := $(OBJ)/gen/tokens_o200k_base.o $(OBJ)/gen/tokens_cl100k_base.o

$(OBJ)/gen/tokens_%.o: $(TP_DIR)/env.mk
	@mkdir -p $(@D)
	@printf '%s\n' '.section .rodata.dg_payload_$*,"a",@progbits' '.globl dg_payload_$*, dg_payload_$*_end' \
	    'dg_payload_$*: .incbin "$(TP_SHARE)/tokens/$*.zst"' 'dg_payload_$*_end: .byte 0' \
	    '.section .note.GNU-stack,"",@progbits' | $(CC) -x assembler -c - -o $@

FORCE:

# --- objects and archives ---

$(OBJ)/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	$(call run,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

define archive
@mkdir -p $(@D)
@rm -f $@
@$(AR) rcsD $@ $(filter %.o,$^)
endef

$(LIB)/libdgrt.a: $(call objects,$(RUNTIME_SRC)) $(OBJ)/gen/symbols.o $(TOKENS_OBJ); $(archive)
$(LIB)/libdgcomp.a: $(call objects,$(COMPONENT_SRC)); $(archive)
$(OUT)/compiler/libdgcompiler.a: $(call objects,$(COMPILER_SRC)) $(OBJ)/notices.o; $(archive)
$(OUT)/test/libdgtest.a: $(call objects,$(TEST_SUPPORT_SRC)); $(archive)

# An archive's members can change without any of them being newer (a file was removed).
$(LIB)/libdgrt.a $(LIB)/libdgcomp.a $(OUT)/compiler/libdgcompiler.a $(OUT)/test/libdgtest.a: $(OBJ)/sources.list
$(OBJ)/sources.list: FORCE
	@mkdir -p $(@D)
	@echo '$(sort $(ALL_OBJ))' | cmp -s - $@ || echo '$(sort $(ALL_OBJ))' > $@

OUR_LIBS = $(OUT)/compiler/libdgcompiler.a $(LIB)/libdgcomp.a $(LIB)/libdgrt.a
LINK_LIBS = -Wl,--start-group $(OUR_LIBS) -Wl,--end-group $(TP_COMPILER_LIBS) $(TP_RUNTIME_LIBS) $(LDLIBS)

$(OUT)/dgc: $(OBJ)/compiler/main.o $(OUR_LIBS)
	$(call run,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LINK_LIBS)

# --- what dgc needs beside itself to build pipelines ---

# LINK: what a pipeline is linked with, in order; archives are in the same folder.
RUNTIME_ARCHIVES = $(notdir $(TP_RUNTIME_LIBS))

$(LIB)/LINK: $(TP_DIR)/env.mk Makefile
	@mkdir -p $(@D)
	@printf '%s\n' libdgcomp.a libdgrt.a $(RUNTIME_ARCHIVES) $(LDLIBS) > $@

# Third-party files: hard links where the cache is on the same file system. What tcc links with is
# there too, so that it needs no package: libc's startup files, and tcc's own headers.
TCC_CRT := $(addprefix $(TP_SYSTEM_LIB)/,crt1.o crti.o crtn.o libc_nonshared.a)

$(LIB)/.third-party: $(TP_DIR)/env.mk Makefile
	@mkdir -p $(@D)/crt $(@D)/tcc/include
	@for file in $(TP_RUNTIME_LIBS) $(TP_DUCKDB_FILES); do \
	    to=$(LIB)/$$(basename $$file); rm -f $$to; \
	    case $$file in $(TP_DIR)/*) cp -lf $$file $$to 2>/dev/null || cp -f $$file $$to;; *) cp -f $$file $$to;; esac \
	    || exit 1; done
	@cp -f $(TCC_CRT) $(@D)/crt/
	@cp -f $(TP_SYSTEM_LIB)/tcc/include/*.h $(@D)/tcc/include/
	@touch $@

# What an executable carries as data: licences always, DuckDB and the C++ runtime that it needs when
# the plan uses it. Between symbols that runtime/db and runtime/cli know as weak ones.
$(LIB)/notices.o: $(BUILD)/notices.txt
	@mkdir -p $(@D)
	@zstd -q -19 -f $< -o $(@D)/notices.zst
	@printf '%s\n' '.section .rodata.dg_payload_notices,"a",@progbits' \
	    '.globl dg_payload_notices, dg_payload_notices_end' \
	    'dg_payload_notices: .incbin "$(@D)/notices.zst"' 'dg_payload_notices_end: .byte 0' \
	    '.section .note.GNU-stack,"",@progbits' | $(CC) -x assembler -c - -o $@
	@rm $(@D)/notices.zst

$(LIB)/payload.o: $(LIB)/.third-party
	@for part in duckdb:libduckdb.so stdcxx:libstdc++.so.6 gcc_s:libgcc_s.so.1; do \
	    name=dg_payload_$${part%%:*}; \
	    printf '.section .rodata.%s,"a",@progbits\n.globl %s, %s_end\n.balign 16\n%s: .incbin "%s"\n%s_end: .byte 0\n' \
	        $$name $$name $$name $$name $(LIB)/$${part#*:}.zst $$name; done > $@.s
	@echo '.section .note.GNU-stack,"",@progbits' >> $@.s
	@$(CC) -x assembler -c $@.s -o $@ && rm $@.s

# Runners for machines without a compiler: non-PIE, so that an appended object is within reach.
RUNNER_LIBS = -Wl,--start-group $(LIB)/libdgcomp.a $(LIB)/libdgrt.a -Wl,--end-group $(TP_RUNTIME_LIBS) $(LDLIBS)

$(LIB)/dgrunner: $(OBJ)/runtime/pack_main.o $(OBJ)/gen/symbols_small.o $(LIB)/notices.o $(LIB)/libdgcomp.a $(LIB)/libdgrt.a
	$(call run,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) -no-pie -s -o $@ $(filter %.o,$^) $(RUNNER_LIBS)
$(LIB)/dgrunner-duckdb: $(OBJ)/runtime/pack_main.o $(LIB)/notices.o $(LIB)/payload.o $(LIB)/libdgcomp.a $(LIB)/libdgrt.a
	$(call run,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) -no-pie -s -o $@ $(filter %.o,$^) $(RUNNER_LIBS)

$(LIB)/include/%.h: %.h
	@mkdir -p $(@D)
	@cp $< $@

all: $(OUT)/dgc $(LIB)/LINK $(LIB)/.third-party $(patsubst %,$(LIB)/include/%,$(EMITTED_HEADERS)) $(BUILD)/notices.txt \
    $(LIB)/notices.o $(LIB)/payload.o $(LIB)/dgrunner $(LIB)/dgrunner-duckdb

# --- tests ---

$(OUT)/test/test_%: $(OBJ)/tests/unit/test_%.o $(OUT)/test/libdgtest.a $(OUR_LIBS)
	@mkdir -p $(@D)
	$(call run,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(OUT)/test/libdgtest.a $(LINK_LIBS) -lcmocka

$(OUT)/fuzz/fuzz_%: $(OBJ)/tests/fuzz/fuzz_%.o $(OUR_LIBS)
	@mkdir -p $(@D)
	$(call run,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LINK_LIBS)

unit-tests: $(UNIT_TESTS)
fuzzers: $(FUZZERS)

asan:
	@$(MAKE) VARIANT=asan all unit-tests

test: all unit-tests
	@$(MAKE) VARIANT=asan unit-tests
	@BUILD=$(BUILD) tests/run.sh

lint:
	@tests/lint.sh

conformance: all
	@scripts/conformance_setup.sh
	@BUILD=$(BUILD) PYTHON=$$(scripts/conformance_setup.sh --print) tests/run.sh conformance

torture: all
	@BUILD=$(BUILD) tests/run.sh torture

fuzz: all
	@$(MAKE) VARIANT=asan fuzzers
	@BUILD=$(BUILD) tests/run.sh fuzz

bench: all
	@BUILD=$(BUILD) bench/run.sh

demo: all
	@BUILD=$(BUILD) samples/demo.sh

clean:
	rm -rf $(BUILD)

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)

# --- pages of `dgc explain`: docs/errors/*.md, embedded ---

$(OBJ)/compiler/explain.o: $(BUILD)/gen/error_pages.h
$(BUILD)/gen/error_pages.h: scripts/embed_errors.sh docs/errors $(wildcard docs/errors/*.md)
	@mkdir -p $(@D)
	$(call run,GEN,$@)scripts/embed_errors.sh docs/errors > $@

# --- golden outputs accepted anew; reference of component types written anew ---

.PHONY: golden docs
golden: all
	@DGC=$(abspath $(OUT)/dgc) ACCEPT=1 tests/golden/check.sh | grep -v '^ok' || true
	@git --no-pager diff --stat -- tests/golden

docs: all
	@rm -rf docs/reference/components
	@$(OUT)/dgc docs -o docs/reference/components
	@$(OUT)/dgc docs commands > docs/reference/commands.md
