/*
 * A PKCS#11 module that stands before another one and fails on demand. Each call is written down, then forwarded,
 * unless a line of the control file says otherwise. Files beside the library (its path and a suffix):
 *
 *   .module    path of the module that is forwarded to
 *   .control   lines "FUNCTION AFTER TIMES ACTION VALUE": once FUNCTION (or *) was called AFTER times in this process,
 *              the next TIMES calls (0: all) are answered otherwise: "return CODE", "delay MS" and forward, "hang 0"
 *   .calls     names of the functions that were called, by all processes, one a line
 *
 * The control file is read anew with each call, so that a token can be removed and plugged in again at run time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_RV;
typedef CK_RV (*function)(CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG);

#define CKR_GENERAL_ERROR 0x05UL

/* PKCS #11 v2.40 §3.6 CK_FUNCTION_LIST: its functions in their order, by which the list is built. */
#define FUNCTIONS(X)                                                                                                  \
  X(C_Initialize) X(C_Finalize) X(C_GetInfo) X(C_GetFunctionList) X(C_GetSlotList) X(C_GetSlotInfo)                   \
  X(C_GetTokenInfo) X(C_GetMechanismList) X(C_GetMechanismInfo) X(C_InitToken) X(C_InitPIN) X(C_SetPIN)               \
  X(C_OpenSession) X(C_CloseSession) X(C_CloseAllSessions) X(C_GetSessionInfo) X(C_GetOperationState)                 \
  X(C_SetOperationState) X(C_Login) X(C_Logout) X(C_CreateObject) X(C_CopyObject) X(C_DestroyObject)                  \
  X(C_GetObjectSize) X(C_GetAttributeValue) X(C_SetAttributeValue) X(C_FindObjectsInit) X(C_FindObjects)              \
  X(C_FindObjectsFinal) X(C_EncryptInit) X(C_Encrypt) X(C_EncryptUpdate) X(C_EncryptFinal) X(C_DecryptInit)           \
  X(C_Decrypt) X(C_DecryptUpdate) X(C_DecryptFinal) X(C_DigestInit) X(C_Digest) X(C_DigestUpdate) X(C_DigestKey)      \
  X(C_DigestFinal) X(C_SignInit) X(C_Sign) X(C_SignUpdate) X(C_SignFinal) X(C_SignRecoverInit) X(C_SignRecover)       \
  X(C_VerifyInit) X(C_Verify) X(C_VerifyUpdate) X(C_VerifyFinal) X(C_VerifyRecoverInit) X(C_VerifyRecover)            \
  X(C_DigestEncryptUpdate) X(C_DecryptDigestUpdate) X(C_SignEncryptUpdate) X(C_DecryptVerifyUpdate) X(C_GenerateKey)  \
  X(C_GenerateKeyPair) X(C_WrapKey) X(C_UnwrapKey) X(C_DeriveKey) X(C_SeedRandom) X(C_GenerateRandom)                 \
  X(C_GetFunctionStatus) X(C_CancelFunction) X(C_WaitForSlotEvent)

#define NUMBER(name) number_##name,
enum { FUNCTIONS(NUMBER) count };

#define NAME(name) #name,
static const char *names[] = {FUNCTIONS(NAME)};

struct function_list {
  unsigned char version[2];
  void *functions[count];
};

static struct function_list *forwarded;
static CK_ULONG called[count];
static CK_ULONG called_at_all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int beside(char *path, size_t room, const char *suffix) {
  Dl_info info;
  if (dladdr((void *)beside, &info) == 0) return -1;
  return snprintf(path, room, "%s%s", info.dli_fname, suffix) < (int)room ? 0 : -1;
}

static void write_down(int number) {
  char path[4096];
  if (beside(path, sizeof path, ".calls") != 0) return;
  int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (file < 0) return;
  char line[64];
  int length = snprintf(line, sizeof line, "%s\n", names[number]);
  if (write(file, line, (size_t)length) != length) abort();
  close(file);
}

struct answer {
  enum { FORWARD, RETURN, DELAY, HANG } action;
  CK_ULONG value;
};

/* The first line that is about this call. */
static struct answer look_up(int number) {
  struct answer answer = {FORWARD, 0};
  char path[4096], line[256];
  pthread_mutex_lock(&lock);
  CK_ULONG of_function = called[number]++, of_all = called_at_all++;
  FILE *control = beside(path, sizeof path, ".control") == 0 ? fopen(path, "r") : NULL;
  while (control != NULL && answer.action == FORWARD && fgets(line, sizeof line, control) != NULL) {
    char name[64], action[16];
    CK_ULONG after, times, value;
    if (sscanf(line, "%63s %lu %lu %15s %li", name, &after, &times, action, (long *)&value) != 5) continue;
    int is_any = strcmp(name, "*") == 0;
    if (!is_any && strcmp(name, names[number]) != 0) continue;
    CK_ULONG before = is_any ? of_all : of_function;
    if (before < after || (times > 0 && before >= after + times)) continue;
    answer.value = value;
    if (strcmp(action, "return") == 0) answer.action = RETURN;
    if (strcmp(action, "delay") == 0) answer.action = DELAY;
    if (strcmp(action, "hang") == 0) answer.action = HANG;
  }
  if (control != NULL) fclose(control);
  pthread_mutex_unlock(&lock);
  return answer;
}

static CK_RV call(int number, CK_ULONG a, CK_ULONG b, CK_ULONG c, CK_ULONG d, CK_ULONG e, CK_ULONG f, CK_ULONG g,
                  CK_ULONG h) {
  write_down(number);
  struct answer answer = look_up(number);
  if (answer.action == RETURN) return answer.value;
  while (answer.action == HANG) pause();
  if (answer.action == DELAY) {
    struct timespec time = {(time_t)(answer.value / 1000), (long)(answer.value % 1000) * 1000000L};
    nanosleep(&time, NULL);
  }
  return ((function)forwarded->functions[number])(a, b, c, d, e, f, g, h);
}

/* Arguments are words on every machine this runs on; those that a function does not have are passed on unread. */
#define ENTRY(name)                                                                                                   \
  static CK_RV double_##name(CK_ULONG a, CK_ULONG b, CK_ULONG c, CK_ULONG d, CK_ULONG e, CK_ULONG f, CK_ULONG g,      \
                             CK_ULONG h) {                                                                            \
    return call(number_##name, a, b, c, d, e, f, g, h);                                                               \
  }
FUNCTIONS(ENTRY)

#define ADDRESS(name) (void *)double_##name,
static struct function_list own = {{2, 40}, {FUNCTIONS(ADDRESS)}};

static int load(void) {
  char path[4096], module[4096];
  if (beside(path, sizeof path, ".module") != 0) return -1;
  FILE *file = fopen(path, "r");
  if (file == NULL) return -1;
  size_t length = fread(module, 1, sizeof module - 1, file);
  fclose(file);
  module[length] = 0;
  void *library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return -1;
  CK_RV (*list)(struct function_list **) = (CK_RV(*)(struct function_list **))dlsym(library, "C_GetFunctionList");
  return list != NULL && list(&forwarded) == 0 ? 0 : -1;
}

/* The one function that is exported; the entry of the list above is for those who ask the list for it. */
CK_RV C_GetFunctionList(struct function_list **list) {
  if (forwarded == NULL && load() != 0) return CKR_GENERAL_ERROR;
  own.functions[number_C_GetFunctionList] = (void *)C_GetFunctionList;
  *list = &own;
  return 0;
}
