// Server: tells people and tools what can be called, so that they need no proto files.

import { readFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { ReflectionService } from "@grpc/reflection";

/**
 * Returns reflection, v1 and v1alpha, for every service that the descriptors describe. It gets them
 * file by file, as buf has made them. Loaded in any other way they lose their imports, and tools
 * find nothing (grpc-node issue 2595).
 * @param descriptorsFile a FileDescriptorSet: what proto files say, with imports and comments.
 */
export function serverReflection(descriptorsFile: string): ReflectionService {
  const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(descriptorsFile));
  const fileDescriptorProtos = file.map((one) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, one)),
  );
  // The shape in which proto-loader would pass them on. Only the descriptors are read from it.
  const format = "Protocol Buffer 3 DescriptorProto";
  return new ReflectionService({ services: { format, type: {}, fileDescriptorProtos } });
}
