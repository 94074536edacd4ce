"""A gRPC client that knows nothing of Maillage: what it calls it learns from the node by server reflection.

Stands for grpcurl and for every client that somebody else writes. Of .proto files it reads only gRPC's own, of
Debian's grpc-proto.
"""

import subprocess
import tempfile
from pathlib import Path
from typing import Callable

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

_GRPC_PROTOS = '/usr/share/grpc-proto'
_REFLECTION = 'grpc/reflection/v1alpha/reflection.proto'
_HEALTH = 'grpc/health/v1/health.proto'


def _known_protocols() -> descriptor_pool.DescriptorPool:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / 'grpc.bin'
        subprocess.run(['protoc', '-I', _GRPC_PROTOS, '--include_imports', f'--descriptor_set_out={output}',
                        _REFLECTION, _HEALTH], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(output.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


def _message(pool: descriptor_pool.DescriptorPool, full_name: str):
    return message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName(full_name))


class ReflectedClient:
    """Calls methods by name, with and giving plain dictionaries in protobuf's JSON form."""

    def __init__(self, address: str, options: list[tuple[str, object]] | None = None) -> None:
        """`options` are gRPC's, for the channel."""
        self._channel = grpc.insecure_channel(address, options)
        self._protocols = _known_protocols()
        self._pool = descriptor_pool.DescriptorPool()
        self._loaded: set[str] = set()

    def close(self) -> None:
        self._channel.close()

    def services(self) -> list[str]:
        answer = self._reflect(list_services='*')
        return sorted(service.name for service in answer.list_services_response.service)

    def methods(self, service: str) -> list[str]:
        self._load(file_containing_symbol=service)
        return [method.name for method in self._pool.FindServiceByName(service).methods]

    def learn(self, message: str) -> None:
        """Asks the node for a message that requests or answers hold in a google.protobuf.Any."""
        self._load(file_containing_symbol=message)

    def call(self, service: str, method: str, request: dict | None = None) -> dict:
        """One unary call; raises grpc.RpcError."""
        return self.unary(service, method)(request)

    def unary(self, service: str, method: str) -> Callable[[dict | None], dict]:
        """A method to be called often, from any thread: what it needs to know is asked now."""
        self._load(file_containing_symbol=service)
        described = self._pool.FindServiceByName(service).FindMethodByName(method)
        request_type = _message(self._pool, described.input_type.full_name)
        response_type = _message(self._pool, described.output_type.full_name)
        stub = self._channel.unary_unary(f'/{service}/{method}', request_serializer=request_type.SerializeToString,
                                         response_deserializer=response_type.FromString)

        def call(request: dict | None = None) -> dict:
            message = json_format.ParseDict(request or {}, request_type(), descriptor_pool=self._pool)
            return json_format.MessageToDict(stub(message, timeout=20), preserving_proto_field_name=True,
                                             descriptor_pool=self._pool)

        return call

    def health(self, service: str = '') -> str:
        request_type = _message(self._protocols, 'grpc.health.v1.HealthCheckRequest')
        response_type = _message(self._protocols, 'grpc.health.v1.HealthCheckResponse')
        stub = self._channel.unary_unary('/grpc.health.v1.Health/Check',
                                         request_serializer=request_type.SerializeToString,
                                         response_deserializer=response_type.FromString)
        answer = stub(request_type(service=service), timeout=20)
        return answer.DESCRIPTOR.fields_by_name['status'].enum_type.values_by_number[answer.status].name

    def _reflect(self, **asked):
        request_type = _message(self._protocols, 'grpc.reflection.v1alpha.ServerReflectionRequest')
        response_type = _message(self._protocols, 'grpc.reflection.v1alpha.ServerReflectionResponse')
        stub = self._channel.stream_stream('/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
                                           request_serializer=request_type.SerializeToString,
                                           response_deserializer=response_type.FromString)
        answer = next(stub(iter([request_type(**asked)]), timeout=20))
        if answer.HasField('error_response'):
            raise LookupError(answer.error_response.error_message)
        return answer

    def _load(self, **asked) -> None:
        """Adds the file that is asked for to the pool, after the files that it imports."""
        for serialized in self._reflect(**asked).file_descriptor_response.file_descriptor_proto:
            file = descriptor_pb2.FileDescriptorProto.FromString(serialized)
            if file.name in self._loaded:
                continue
            self._loaded.add(file.name)
            for imported in file.dependency:
                if imported not in self._loaded:
                    self._load(file_by_filename=imported)
            self._pool.Add(file)
