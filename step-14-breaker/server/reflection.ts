// Server: tells tools what they can call, so that they need no proto files.

import { readFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { ReflectionService } from "@grpc/reflection";

/**
 * Returns reflection, v1 and v1alpha, for every service in the descriptors. It gets them file by
 * file, exactly as buf writes them: proto-loader would drop their imports, and tools would find no
 * service (grpc-node issue 2595).
 * @param descriptorsFile a FileDescriptorSet: the proto files in binary form, with imports.
 * @param services the names to list: the descriptors hold the services of other servers, too.
 */
export function serverReflection(descriptorsFile: string, services: string[]): ReflectionService {
  const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(descriptorsFile));
  const fileDescriptorProtos = file.map((one) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, one)),
  );
  // The shape that proto-loader would return. Only its descriptors are read.
  const format = "Protocol Buffer 3 DescriptorProto";
  return new ReflectionService(
    { services: { format, type: {}, fileDescriptorProtos } },
    { services },
  );
}
