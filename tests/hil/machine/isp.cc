// The ISP that libcamera's handler of vimc does not have: what a Raspberry Pi's handler does with its own.
//
// It offers ScalerCrop, in the sensor's own pixels, and has the scaler of vimc cut that out; it makes a second, smaller
// stream of each picture; it takes AfMode and FrameDurationLimits, and says in each picture's metadata what it was told.
//
// libcamera's functions are open to be replaced: built as a library that has libcamera's name and is found before it
// (machine/build), each function here stands in the place of its namesake, and calls that one (`real`) for all else.

#include <cstdlib>
#include <cstring>
#include <iostream>

#include <dlfcn.h>
#include <sys/mman.h>

#include <libcamera/libcamera.h>

#define REPLACES __attribute__((visibility("default")))

namespace libcamera {

// What is named here of libcamera's inner classes, none of which has more than its address.
class PipelineHandler
{
public:
	bool completeBuffer(Request *request, FrameBuffer *buffer);
};

class PipelineHandlerVimc : public PipelineHandler
{
public:
	REPLACES std::unique_ptr<CameraConfiguration> generateConfiguration(Camera *camera, Span<const StreamRole> roles);
	REPLACES int configure(Camera *camera, CameraConfiguration *configuration);
	REPLACES int start(Camera *camera, const ControlList *controls);
	REPLACES int queueRequestDevice(Camera *camera, Request *request);
};

class VimcCameraConfiguration
{
public:
	REPLACES CameraConfiguration::Status validate();
};

class VimcCameraData
{
public:
	REPLACES void imageBufferReady(FrameBuffer *buffer);
};

class V4L2Subdevice
{
public:
	struct Stream {
		unsigned int pad, stream;
	};
	REPLACES int setSelection(const Stream &stream, unsigned int target, Rectangle *rectangle);
};

namespace {

constexpr Size kArray{ 4608, 2592 };
constexpr unsigned int kCrop = 0; // V4L2_SEL_TGT_CROP

Stream small;
PipelineHandler *handler;
V4L2Subdevice *scaler;
Rectangle whole; // what the picture shows of the sensor's pixels, when all is shown
Size scaled; // the size in which the scaler gets that
ControlList told;
ControlInfoMap offered;

// The function that one of these stands for.
template<typename Function>
Function real(Function mine)
{
	static_assert(sizeof(Function) == 2 * sizeof(void *));
	static void *const library = dlopen(LIBCAMERA, RTLD_LAZY | RTLD_NOLOAD);
	void *address[2]{};
	std::memcpy(address, &mine, sizeof(mine));
	Dl_info name{};
	dladdr(address[0], &name);
	address[0] = library ? dlsym(library, name.dli_sname) : nullptr;
	if (!address[0]) {
		std::cerr << "This libcamera has no " << name.dli_sname << '\n';
		std::abort();
	}
	std::memcpy(&mine, address, sizeof(mine));
	return mine;
}

// The streams of a configuration, which only its own class may take out.
struct Streams : CameraConfiguration {
	static std::vector<StreamConfiguration> &of(CameraConfiguration *configuration)
	{
		return configuration->*(&Streams::config_);
	}
};

// Do something without the small stream, of which the real handler knows nothing.
template<typename Action>
auto withoutSmall(CameraConfiguration *configuration, Action action)
{
	std::vector<StreamConfiguration> &streams = Streams::of(configuration);
	std::vector<StreamConfiguration> taken;
	while (streams.size() > 1) {
		taken.insert(taken.begin(), streams.back());
		streams.pop_back();
	}
	auto result = action();
	streams.insert(streams.end(), taken.begin(), taken.end());
	return result;
}

bool isVimc(const Camera *camera)
{
	return camera->id().find("vimc") != std::string::npos;
}

void obey(const ControlList &controls)
{
	told.merge(controls, ControlList::MergePolicy::OverwriteExisting);
	if (auto crop = controls.get(controls::ScalerCrop)) {
		Rectangle part = crop->translatedBy(-whole.topLeft()).scaledBy(scaled, whole.size()).enclosedIn(Rectangle(scaled));
		(scaler->*real(&V4L2Subdevice::setSelection))({ 0, 0 }, kCrop, &part);
	}
}

class Pixels
{
public:
	Pixels(const FrameBuffer *buffer, int protection)
		: length_(buffer->planes()[0].length),
		  memory_(mmap(nullptr, length_, protection, MAP_SHARED, buffer->planes()[0].fd.get(), 0))
	{
	}
	~Pixels() { munmap(memory_, length_); }
	unsigned char *row(const StreamConfiguration &stream, unsigned int y)
	{
		return static_cast<unsigned char *>(memory_) + y * stream.stride;
	}

private:
	size_t length_;
	void *memory_;
};

void shrink(const FrameBuffer *from, const StreamConfiguration &large, const FrameBuffer *to)
{
	const StreamConfiguration &little = small.configuration();
	Pixels source(from, PROT_READ), target(to, PROT_WRITE);
	for (unsigned int y = 0; y < little.size.height; y++) {
		const unsigned char *row = source.row(large, y * large.size.height / little.size.height);
		unsigned char *pixel = target.row(little, y);
		for (unsigned int x = 0; x < little.size.width; x++, pixel += 3)
			std::memcpy(pixel, row + x * large.size.width / little.size.width * 3, 3);
	}
}

} /* namespace */

REPLACES const std::set<Stream *> &Camera::streams() const
{
	const std::set<Stream *> &streams = (this->*real(&Camera::streams))();
	if (!isVimc(this))
		return streams;
	static std::set<Stream *> both;
	both = streams;
	both.insert(&small);
	return both;
}

REPLACES const ControlInfoMap &Camera::controls() const
{
	const ControlInfoMap &controls = (this->*real(&Camera::controls))();
	return isVimc(this) && !offered.empty() ? offered : controls;
}

std::unique_ptr<CameraConfiguration>
PipelineHandlerVimc::generateConfiguration(Camera *camera, Span<const StreamRole> roles)
{
	auto configuration = (this->*real(&PipelineHandlerVimc::generateConfiguration))(camera, roles);
	if (configuration && roles.size() > 1)
		configuration->addConfiguration(configuration->at(0));
	return configuration;
}

CameraConfiguration::Status VimcCameraConfiguration::validate()
{
	auto *configuration = reinterpret_cast<CameraConfiguration *>(this);
	auto status = withoutSmall(configuration, [&] { return (this->*real(&VimcCameraConfiguration::validate))(); });
	if (configuration->size() < 2)
		return status;
	const StreamConfiguration &main = configuration->at(0);
	StreamConfiguration &second = configuration->at(1);
	const StreamConfiguration wanted = second;
	second.size.boundTo(main.size).alignDownTo(2, 2);
	second.pixelFormat = main.pixelFormat;
	second.stride = second.size.width * 3;
	second.frameSize = second.stride * second.size.height;
	second.bufferCount = main.bufferCount;
	bool same = second.size == wanted.size && second.pixelFormat == wanted.pixelFormat;
	return same || status == CameraConfiguration::Invalid ? status : CameraConfiguration::Adjusted;
}

int PipelineHandlerVimc::configure(Camera *camera, CameraConfiguration *configuration)
{
	auto all = [&] { return (this->*real(&PipelineHandlerVimc::configure))(camera, configuration); };
	int error = withoutSmall(configuration, all);
	if (error)
		return error;
	if (configuration->size() > 1)
		configuration->at(1).setStream(&small);
	Size shape = kArray.boundedToAspectRatio(configuration->at(0).size);
	whole = shape.centeredTo(Rectangle(kArray).center());
	told = ControlList(controls::controls);

	ControlInfoMap::Map map;
	for (const auto &[id, info] : (camera->*real(&Camera::controls))())
		map.emplace(id, info);
	map.emplace(&controls::ScalerCrop, ControlInfo(Rectangle(0, 0, 64, 64), Rectangle(kArray), whole));
	map.emplace(&controls::AfMode, ControlInfo(controls::AfModeValues));
	map.emplace(&controls::FrameDurationLimits, ControlInfo(INT64_C(16666), INT64_C(1000000)));
	offered = ControlInfoMap(std::move(map), controls::controls);
	return 0;
}

int PipelineHandlerVimc::start(Camera *camera, const ControlList *controls)
{
	if (controls)
		obey(*controls);
	return (this->*real(&PipelineHandlerVimc::start))(camera, controls);
}

int PipelineHandlerVimc::queueRequestDevice(Camera *camera, Request *request)
{
	handler = this;
	obey(request->controls());
	request->metadata().merge(told);
	return (this->*real(&PipelineHandlerVimc::queueRequestDevice))(camera, request);
}

void VimcCameraData::imageBufferReady(FrameBuffer *buffer)
{
	Request *request = buffer->request();
	FrameBuffer *second = request->findBuffer(&small);
	if (second && buffer->metadata().status != FrameMetadata::FrameCancelled) {
		for (const auto &[stream, its] : request->buffers())
			if (its == buffer)
				shrink(buffer, stream->configuration(), second);
		auto &metadata = const_cast<FrameMetadata &>(second->metadata());
		metadata.status = buffer->metadata().status;
		metadata.timestamp = buffer->metadata().timestamp;
		handler->completeBuffer(request, second);
	}
	(this->*real(&VimcCameraData::imageBufferReady))(buffer);
}

// The handler's own use of its scaler says how large what comes in there is.
int V4L2Subdevice::setSelection(const Stream &stream, unsigned int target, Rectangle *rectangle)
{
	scaler = this;
	scaled = rectangle->size();
	return (this->*real(&V4L2Subdevice::setSelection))(stream, target, rectangle);
}

} /* namespace libcamera */
