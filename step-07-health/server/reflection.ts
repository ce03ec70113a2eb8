// Server: tells people and tools what can be called, so that they need no proto files.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { ReflectionService } from "@grpc/reflection";

/** What the proto files say, imports and comments too: buf writes it beside the generated code. */
const descriptorsFile = join(import.meta.dirname, "..", "gen", "descriptors.binpb");

/**
 * Reflection for every service of this step's proto folder, v1 and v1alpha. It is given the
 * descriptors file by file, as buf made them. Loaded in any other way they lose their imports, and
 * tools find nothing (grpc-node issue 2595).
 */
export function bakeryReflection(): ReflectionService {
  const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(descriptorsFile));
  const fileDescriptorProtos = file.map((one) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, one)),
  );
  // The form in which proto-loader would hand them over. Only the descriptors are read from it.
  const format = "Protocol Buffer 3 DescriptorProto";
  return new ReflectionService({ bakery: { format, type: {}, fileDescriptorProtos } });
}
